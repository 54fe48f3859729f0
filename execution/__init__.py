"""How an operation is checked and run; knows GraphQL, knows no noun."""
