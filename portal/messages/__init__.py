"""What people write to the farm, and the farm to people: contact, campaigns, reminders."""
