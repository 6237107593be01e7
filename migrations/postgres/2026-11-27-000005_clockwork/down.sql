DROP TABLE clockwork;
