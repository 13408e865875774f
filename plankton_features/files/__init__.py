"""Files that are there whole or not at all: names, locks, temporary files, sets, room."""
