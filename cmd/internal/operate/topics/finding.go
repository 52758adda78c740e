package topics

import (
	"fmt"
	"strings"

	"allocation/cmd/internal/cli"
)

// Severity says what a finding means for a worker.
type Severity string

// The severities.
const (
	Severe  Severity = "error"   // commands are lost: a worker does not start
	Warning Severity = "warning" // something may be lost, or not be taken
	Unknown Severity = "unknown" // the access rules hide it
)

// Finding is one setting of a topic that is not as it should be.
type Finding struct {
	Topic, Setting, Value string
	Severity              Severity
	Says                  string // what it means
	Mend                  string // the command that mends it; empty where there is none
}

func (f Finding) String() string {
	return f.sentence(fmt.Sprintf("%s of the topic %s", f.Setting, f.Topic))
}

// note is for where the topic is named already.
func (f Finding) note() string { return f.sentence("its " + f.Setting) }

func (f Finding) sentence(subject string) string {
	if f.Severity == Unknown {
		return f.Says
	}
	text := fmt.Sprintf("%s is %s: %s", subject, f.Value, f.Says)
	if f.Mend != "" {
		text += "; mend it by: " + f.Mend
	}
	return text
}

// LosesCommands is the error of the findings by which commands are lost; nil where there are none.
func LosesCommands(found []Finding) error {
	var texts []string
	for _, f := range found {
		if f.Severity == Severe {
			texts = append(texts, f.String())
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return cli.SetupError(strings.Join(texts, "\n"))
}
