"""Any program or function that writes into a database, in users' own tests."""
