package local

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
)

// PostgresOptions say where Postgres keeps its data and how it is reached.
type PostgresOptions struct {
	// Dir holds the data, in its folder postgres, and the server's log, postgres.log. It is made
	// when it does not exist.
	Dir string
	// Port is the port on 127.0.0.1. 0 takes a free one.
	Port int
	// PortFlag names in errors what the user changes when the port is in use, such as
	// --postgres-port.
	PortFlag string
	// Database is created when it does not exist, besides postgres.
	Database string
	// Password is the superuser's, which every connection needs. Without one, every user of this
	// machine can get in, and run programs as the account that Postgres runs as. It holds letters
	// and digits.
	Password string
	// Settings are server settings, such as max_connections.
	Settings map[string]string
	// Output is told what is downloaded. nil discards it.
	Output io.Writer
}

func (o *PostgresOptions) setDefaults() error {
	if o.Dir == "" {
		return errors.New("postgres: no folder for its data")
	}
	if o.Output == nil {
		o.Output = io.Discard
	}
	if o.Port != 0 {
		return nil
	}
	port, err := FreePort()
	o.Port = port
	return err
}

// user is the superuser, with the password where there is one.
func (o *PostgresOptions) user() string {
	if o.Password == "" {
		return superuser
	}
	return superuser + ":" + o.Password
}

// arguments are the server's. Nothing but 127.0.0.1 reaches it: there is no socket file.
func (o *PostgresOptions) arguments(data string) []string {
	settings := map[string]string{"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
	maps.Copy(settings, o.Settings)
	arguments := []string{"-D", data, "-p", strconv.Itoa(o.Port)}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		arguments = append(arguments, "-c", name+"="+settings[name])
	}
	return arguments
}
