package product

// CommandType is what is known of a command before there is one.
type CommandType struct {
	// Name stands in a message's type.
	Name string
	// Fields are those of its data, in the order of documents.
	Fields []Field

	decode func(f *fields) Command
}

// Commands are all commands. Decoding, sending, configuration and the tests of schemas read them
// here.
var Commands = []CommandType{
	createBatch,
	changeBatchQuantity,
	changeBatchEta,
	allocate,
	deallocate,
	dispatch,
}

// CommandNames are the names of all commands.
func CommandNames() []string {
	names := make([]string, len(Commands))
	for i := range Commands {
		names[i] = Commands[i].Name
	}
	return names
}

// FindCommand is the command of a name, or nil.
func FindCommand(name string) *CommandType {
	for i := range Commands {
		if Commands[i].Name == name {
			return &Commands[i]
		}
	}
	return nil
}
