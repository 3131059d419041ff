"""What the worker does for messages."""

from portal.infra.jobs import DAY, HOUR, Task
from portal.messages import contact
from portal.messages.birthdays import give_birthday_gifts
from portal.messages.reminders import remind
from portal.messages.sending import send_campaigns

TASKS = (
    Task("campaigns", 2, send_campaigns),
    Task("reminders", 10, remind),
    Task("birthdays", HOUR, give_birthday_gifts),
    Task("old messages", DAY, contact.forget_old),
)
