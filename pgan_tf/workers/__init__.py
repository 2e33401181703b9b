"""Several processes that train one run, on one machine or many: who they are, how they meet, what they agree on."""
