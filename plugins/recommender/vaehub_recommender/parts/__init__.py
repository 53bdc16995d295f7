"""The parts that models of users and items are composed of."""
