package api

import (
	"html/template"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/web"
	"allocation/store/orders"
)

// linesData is what the table of lines shows.
type linesData struct {
	Order  *orders.OrderView
	Remove bool // its lines can be
}

// shopFuncs are what templates call.
func shopFuncs(statics web.Statics) template.FuncMap {
	return template.FuncMap{
		"static": statics.Link, "text": cli.Printable, "when": cli.When, "newKey": uuid.NewString, "count": cli.Count,
		"lines": func(o any, remove bool) linesData {
			if view, isValue := o.(orders.OrderView); isValue {
				return linesData{&view, remove}
			}
			return linesData{o.(*orders.OrderView), remove}
		},
		"canCancel": func(phase string) bool { return slices.Contains([]string{"cart", "placed", "ready"}, phase) },
		"canRemove": func(state string) bool { return slices.Contains([]string{"requested", "waiting", "reserved"}, state) },
		"tone":      toneOf,
		"inPath":    url.PathEscape,
	}
}

// toneOf is the colour of a state.
func toneOf(state string) string {
	switch state {
	case "reserved", "ready", "dispatched":
		return "good"
	case "rejected", "cancelled", "expired", "removed":
		return "bad"
	}
	return "warn"
}
