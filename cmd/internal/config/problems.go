package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problems gathers the mistakes of a configuration, so that a user sees them all at once.
type Problems struct {
	variables  map[string]string // of each flag
	vocabulary Vocabulary
	plain      bool // names are no flags
	found      []error
}

// ParameterProblems makes an empty collection of mistakes in parameters that are no flags, such as
// those of a web page.
func ParameterProblems() *Problems { return &Problems{plain: true} }

// NewProblems makes an empty collection. variables has the environment variable of each flag, to
// name both.
func NewProblems(variables map[string]string, vocabulary Vocabulary) *Problems {
	return &Problems{variables: variables, vocabulary: vocabulary}
}

// Add says that the value of a flag is none that is allowed.
func (p *Problems) Add(flag, value, allowed string) {
	if value == "" {
		p.Say("%s is not set; it must be %s", p.Label(flag), allowed)
		return
	}
	p.Say("%s is %q; it must be %s", p.Label(flag), value, allowed)
}

// Say adds a mistake in the caller's words. They never hold a secret's value.
func (p *Problems) Say(format string, args ...any) {
	p.found = append(p.found, fmt.Errorf(format, args...))
}

// Err is all mistakes as one error, nil where there are none.
func (p *Problems) Err() error {
	if len(p.found) == 0 {
		return nil
	}
	return &Error{Problems: p.found}
}

// Label names a flag, with its environment variable.
func (p *Problems) Label(flag string) string {
	if p.plain {
		return flag
	}
	if variable := p.variables[flag]; variable != "" {
		return fmt.Sprintf("--%s (%s)", flag, variable)
	}
	return "--" + flag
}

func (p *Problems) oneOf(flag, value string, allowed ...string) bool {
	if slices.Contains(allowed, value) {
		return true
	}
	p.Add(flag, value, "one of "+strings.Join(allowed, ", "))
	return false
}

// Error is a configuration that cannot be used. It lists every mistake.
type Error struct {
	Problems []error
}

func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0].Error()
	}
	return fmt.Sprintf("%d settings are wrong:\n%v", len(e.Problems), errors.Join(e.Problems...))
}
