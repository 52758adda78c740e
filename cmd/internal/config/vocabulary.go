package config

// Vocabulary has the words of a service, for the settings, flags and texts that name them.
type Vocabulary struct {
	Commands []string // the types of commands
	Events   []string // the types of events
	Reasons  []string // for which commands are refused
	Key      string   // what the key of a command is called in flags and in JSON
	Entity   string   // what a key names
}
