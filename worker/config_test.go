package worker

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"allocation/outbox"
)

func wholeConfig() Config {
	return Config{
		Group: "group", Service: "test", TypePrefix: "test.v1.", Topics: []Topic{{Name: "commands"}}, Appliers: 1, MaxBatch: 1,
		SessionTimeout: 10 * time.Second, StallTimeout: time.Second, ShutdownTimeout: time.Second,
		Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}
}

// A client that has topics joins the group by itself, and hands out partitions to a worker that may
// still be in the making.
func TestNew_leavesTheGroupAlone(t *testing.T) {
	t.Parallel()
	w, err := New(wholeConfig(), nil, &outbox.Relay{})
	require.NoError(t, err)
	defer w.client.Close()
	require.Empty(t, w.client.GetConsumeTopics())
}

func TestNew_namesEachOptionThatCannotBe(t *testing.T) {
	t.Parallel()
	for says, spoil := range map[string]func(c *Config){
		"no consumer group":                func(c *Config) { c.Group = "" },
		"no name of the service":           func(c *Config) { c.Service = "" },
		"no prefix of types":               func(c *Config) { c.TypePrefix = "" },
		"no logger":                        func(c *Config) { c.Logger = nil },
		"no metrics":                       func(c *Config) { c.Metrics = nil },
		"0 appliers: at least 1 is needed": func(c *Config) { c.Appliers = 0 },
		"a time to catch up of -1ns: it must not be below 0": func(c *Config) { c.CatchUpTime = -1 },
		"-1 commands in a transaction: at least 1 is needed": func(c *Config) { c.MaxBatch = -1 },
		"a session timeout of 0s: it must be above 0":        func(c *Config) { c.SessionTimeout = 0 },
		"a stall timeout of 0s: it must be above 0":          func(c *Config) { c.StallTimeout = 0 },
		"a shutdown timeout of -1s: it must be above 0":      func(c *Config) { c.ShutdownTimeout = -time.Second },
		"no topics":                         func(c *Config) { c.Topics = nil },
		"a topic without a name":            func(c *Config) { c.Topics[0].Name = "" },
		"the topic commands is there twice": func(c *Config) { c.Topics = append(c.Topics, Topic{Name: "commands"}) },
		"no consumer group\n0 appliers: at least 1 is needed": func(c *Config) { c.Group, c.Appliers = "", 0 },
	} {
		c := wholeConfig()
		spoil(&c)
		_, err := New(c, nil, nil)
		require.EqualError(t, err, "worker: "+says)
	}
}
