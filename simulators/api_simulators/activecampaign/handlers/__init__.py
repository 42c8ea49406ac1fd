"""One module per resource; each handler turns a Call into an Answer."""
