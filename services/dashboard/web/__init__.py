"""The pages. Each is drawn by NiceGUI from what the services say, with the key of the person who looks."""
