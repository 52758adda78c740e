package console

import (
	"context"

	"allocation/cmd/internal/operate/status"
)

// Section is a part of the front page. What it read is also in the JSON of the page, as "section".
type Section struct {
	File string // of the product's templates; it defines "section"
	Read func(context.Context, *Console) (any, error)
}

// FrontPage is how the service is, below the product's section.
type FrontPage struct {
	*status.Status
	Section any `json:"section,omitempty"`
}
