"""The explorer and the picker: any loss on any activation, trained live."""
