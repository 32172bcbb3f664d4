"""A laboratory of gradients in recurrent networks: why they vanish and explode, and what helps."""
