package config

// Vocabulary is what a service's messages are called, for the settings and flags that name them.
type Vocabulary struct {
	Commands []string // the types of commands
	Events   []string // the types of events
	Reasons  []string // for which commands are refused
}
