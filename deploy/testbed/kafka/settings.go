package kafka

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Listeners are a node's addresses, host:port.
type Listeners struct {
	Bind       string // for clients
	Advertised string // for clients, as they see it
	Controller string
	More       []Listener
}

// Listener is one more listener for clients.
type Listener struct {
	Name       string // SSL, SASL_SSL or one of listener.security.protocol.map
	Bind       string // chosen when empty
	Advertised string // Bind when empty
}

// lists are the settings listeners and advertised.listeners.
func (l Listeners) lists() (listeners, advertised string) {
	listeners, advertised = "PLAINTEXT://"+l.Bind+",CONTROLLER://"+l.Controller, "PLAINTEXT://"+l.Advertised
	for _, more := range l.More {
		listeners += "," + more.Name + "://" + more.Bind
		advertised += "," + more.Name + "://" + cmp.Or(more.Advertised, more.Bind)
	}
	return listeners, advertised
}

// NewClusterID makes up the id of a cluster: 16 bytes in base64, of which the last letter tells two
// bits. It has no dash: the storage tool takes an id that begins with one for an option.
func NewClusterID() string { return rand.Text()[:21] + "A" }

// Settings returns the server.properties of one node that keeps its data in dir: quick to start and
// to form groups, with as few internal partitions as do, session timeouts down to a second, and
// everything else as Kafka has it.
func Settings(dir string, at Listeners, more map[string]string) string {
	listeners, advertised := at.lists()
	settings := map[string]string{
		"process.roles":                                    "broker,controller",
		"node.id":                                          "1",
		"controller.quorum.voters":                         "1@" + at.Controller,
		"controller.listener.names":                        "CONTROLLER",
		"listeners":                                        listeners,
		"advertised.listeners":                             advertised,
		"log.dirs":                                         dir,
		"broker.session.timeout.ms":                        "3000", // a killed broker is refused as a double of itself for as long
		"broker.heartbeat.interval.ms":                     "500",
		"auto.create.topics.enable":                        "false",
		"group.initial.rebalance.delay.ms":                 "0",
		"group.min.session.timeout.ms":                     "100",
		"group.consumer.min.session.timeout.ms":            "1000",
		"group.consumer.min.heartbeat.interval.ms":         "100",
		"offsets.topic.replication.factor":                 "1",
		"offsets.topic.num.partitions":                     "4",
		"transaction.state.log.replication.factor":         "1",
		"transaction.state.log.min.isr":                    "1",
		"transaction.state.log.num.partitions":             "4",
		"share.coordinator.state.topic.replication.factor": "1",
		"share.coordinator.state.topic.min.isr":            "1",
	}
	maps.Copy(settings, more)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s=%s\n", name, settings[name])
	}
	return text.String()
}

// logging makes the server write warnings and worse to its standard output.
const logging = `<Configuration status="ERROR">
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %c{1}: %m%n"/></Console></Appenders>
  <Loggers>
    <Root level="WARN"><AppenderRef ref="out"/></Root>
  </Loggers>
</Configuration>
`
