package worker

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func TestNew_namesEachOptionThatCannotBe(t *testing.T) {
	t.Parallel()
	whole := func() Config {
		return Config{
			Group: "group", Service: "test", TypePrefix: "test.v1.", Topics: []Topic{{Name: "commands"}}, Appliers: 1, MaxBatch: 1,
			SessionTimeout: time.Second, StallTimeout: time.Second, ShutdownTimeout: time.Second,
			Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: NewMetrics(prometheus.NewRegistry()),
		}
	}
	complete := whole()
	require.NoError(t, complete.validate())
	for says, spoil := range map[string]func(c *Config){
		"no consumer group":                func(c *Config) { c.Group = "" },
		"no name of the service":           func(c *Config) { c.Service = "" },
		"no prefix of types":               func(c *Config) { c.TypePrefix = "" },
		"no logger":                        func(c *Config) { c.Logger = nil },
		"no metrics":                       func(c *Config) { c.Metrics = nil },
		"0 appliers: at least 1 is needed": func(c *Config) { c.Appliers = 0 },
		"-1 commands in a transaction: at least 1 is needed": func(c *Config) { c.MaxBatch = -1 },
		"a session timeout of 0s: it must be above 0":        func(c *Config) { c.SessionTimeout = 0 },
		"a stall timeout of 0s: it must be above 0":          func(c *Config) { c.StallTimeout = 0 },
		"a shutdown timeout of -1s: it must be above 0":      func(c *Config) { c.ShutdownTimeout = -time.Second },
		"no topics":                         func(c *Config) { c.Topics = nil },
		"a topic without a name":            func(c *Config) { c.Topics[0].Name = "" },
		"the topic commands is there twice": func(c *Config) { c.Topics = append(c.Topics, Topic{Name: "commands"}) },
		"no consumer group\n0 appliers: at least 1 is needed": func(c *Config) { c.Group, c.Appliers = "", 0 },
	} {
		c := whole()
		spoil(&c)
		_, err := New(c, nil, nil)
		require.EqualError(t, err, "worker: "+says)
	}
}
