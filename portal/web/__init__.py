"""What every face shares of Flask: answers, guards, forms, filters, errors."""
