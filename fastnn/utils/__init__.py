"""Helpers that know nothing of networks: checks of arguments, descriptions as data, files, text."""
