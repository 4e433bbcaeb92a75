"""The application under test is `memoir model-server`, which the test client starts."""

app = "memoir model-server"
