package config

// Vocabulary has the words of a service, for the settings, flags and texts that name them.
type Vocabulary struct {
	Prefix   string   // of each environment variable, so that none is another service's; empty: none
	Commands []string // the types of commands
	Events   []string // the types of events
	Reasons  []string // for which commands are refused
	Key      string   // what the key of a command is called in flags and in JSON
	Entity   string   // what a key names
	Topic    string   // where commands come from, unless COMMAND_TOPICS says otherwise
	HTTPAddr string   // where a worker's health and metrics are, unless HTTP_ADDR says otherwise; empty: at port 8080
	Takes    []Other  // events of other services that are taken
	Sends    []Other  // commands that are sent, where a service sends some
	Examples Examples
}

// Examples are what texts show of a service.
type Examples struct {
	Type  string // a type of commands
	Key   string
	Bare  string // of COMMAND_TOPICS: a topic whose records are commands of one type
	Route string // of EVENT_ROUTES
	Other string // of OTHER_TOPICS, where the service knows another one
	Again string // a sentence: which commands take effect again when they are applied again
}
