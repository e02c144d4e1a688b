"""Where an agent's turns are decided: in the server's own task, or in a process of the agent's."""
