package api

import (
	_ "embed"
	"encoding/json"
)

// openAPI is the contract, by hand. A test holds every answer of the other tests to it.
//
//go:embed openapi.json
var openAPI []byte

func (a *API) getOpenAPI(r *request) (*answer, error) {
	if problem := r.takes(); problem != nil {
		return nil, problem
	}
	return ok(json.RawMessage(openAPI)), nil
}
