"""The pages, drawn by NiceGUI from the services' answers to the key of the person who looks."""
