package explain

import (
	"allocation/cmd/internal/config"
	"allocation/store"
)

// Shown are the flags of all that explains one thing.
type Shown struct {
	Servers
	InKafka
	Limit string `default:"100" placeholder:"N" help:"Show so many lines or events at most."`
	JSON  bool   `help:"Print JSON."`
}

// CheckLimit finds the mistakes, and reads the limit.
func (s *Shown) CheckLimit(problems *config.Problems) int {
	s.InKafka.Check(problems)
	return problems.Integer("limit", s.Limit, 1, 1_000_000)
}

// Pointers are those to all events of lists.
func Pointers(lists [][]store.EventView) (events []*store.EventView) {
	for _, list := range lists {
		for i := range list {
			events = append(events, &list[i])
		}
	}
	return events
}
