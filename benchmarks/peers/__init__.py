"""Other people's trainers on our rows, run without Atanor in an environment of their own (`make peer`)."""
