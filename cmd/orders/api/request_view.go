package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"regexp"
	"time"

	"allocation/store"
	"allocation/worker"
)

// The states of a request.
const (
	statePending   = "pending"
	stateApplied   = "applied"
	stateNoEffect  = "no_effect"
	stateRefused   = "refused"
	stateHeld      = "held"
	stateDiscarded = "discarded"
)

// requestView is what became of a request.
type requestView struct {
	ID      string     `json:"id"`
	State   string     `json:"state"`
	Reason  string     `json:"reason,omitempty"`
	Message string     `json:"message,omitempty"`
	Decided *time.Time `json:"decided_at,omitempty"`
	Held    *heldView  `json:"held,omitempty"`
}

// heldView says that a customer's commands wait.
type heldView struct {
	Since   time.Time `json:"since"`
	Waiting int64     `json:"waiting"`
	Message string    `json:"message"`
}

// What a customer may know of a failure. What failed is for who runs the service.
const heldMessage = "a command of this customer failed for a reason that nobody foresaw: what came after it waits until a person has looked at that"

const failedMessage = "it failed for a reason that nobody foresaw, and waits for a person"

func heldViewOf(h *store.HeldKey) *heldView {
	if h == nil {
		return nil
	}
	return &heldView{h.Since.UTC(), h.Waiting, heldMessage}
}

func viewOf(id string, found *store.Request, held *store.HeldKey) *requestView {
	v := &requestView{ID: id, State: statePending, Held: heldViewOf(held)}
	if found == nil {
		v.Message = "no worker has decided it yet"
		return v
	}
	at := found.Decided.UTC()
	v.Decided = &at
	switch found.Outcome {
	case worker.Changed.String():
		v.State = stateApplied
	case worker.Refused.String():
		v.State, v.Reason, v.Message = stateRefused, found.Reason, found.Message
		if found.Reason == worker.ReasonInternal { // it failed before its key was known, so it holds nobody
			v.State, v.Reason, v.Message = stateHeld, "", failedMessage
		}
	case worker.Held.String():
		v.State, v.Message = stateHeld, "it waits, since a command of this customer failed"
		if found.Reason != "" {
			v.Message = failedMessage
		}
	case worker.Discarded.String():
		v.State, v.Message = stateDiscarded, "a person decided that it never takes effect"
	default:
		v.State = stateNoEffect
	}
	return v
}

var (
	requestIDs = regexp.MustCompile(`^[0-9a-f-]{36,64}$`)
	bodyHashes = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// getRequest says what became of a request. Of one that no worker has decided nobody knows whether
// there ever was one.
func (a *API) getRequest(r *request) (*answer, error) {
	if problem := r.takes("body"); problem != nil {
		return nil, problem
	}
	id, body := r.path["requestid"], r.query.Get("body")
	if !requestIDs.MatchString(id) {
		return nil, missing("there is no request %.100q", id)
	}
	if r.query.Has("body") && !bodyHashes.MatchString(body) {
		return nil, wrong(http.StatusBadRequest, "body", body, "64 digits 0 to 9 and a to f, as in the Location of an answer")
	}
	v, err := a.requestNow(r.ctx, id, body)
	if err != nil {
		return nil, err
	}
	return ok(v), nil
}

func (a *API) requestNow(ctx context.Context, id, body string) (*requestView, error) {
	found, err := a.known(ctx, id)
	if err != nil {
		return nil, err
	}
	if found != nil && body != "" && hex.EncodeToString(found.Body) != body {
		return nil, reused(id)
	}
	var held *store.HeldKey
	if found != nil && found.Outcome == worker.Held.String() {
		held = a.heldOf(ctx, found.Key)
	}
	return viewOf(id, found, held), nil
}
