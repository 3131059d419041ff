"""The demo farm: its invented content, and the generator that fills a database with it."""
