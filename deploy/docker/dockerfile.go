package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

//go:embed Dockerfile
var dockerfile string

// lastStage is what the last stage of a Dockerfile says about the image. It knows the instructions
// that ours uses, one a line, and refuses all others: none may be passed over.
func lastStage(text string) (v1.ImageConfig, error) {
	config := v1.ImageConfig{ExposedPorts: map[string]struct{}{}, Labels: map[string]string{}}
	_, stage, found := strings.Cut(text, "\nFROM scratch\nCOPY --from=build /out /\n")
	if !found {
		return config, fmt.Errorf("the Dockerfile has no stage from scratch that copies what was built")
	}
	for line := range strings.Lines(stage) {
		if err := instruct(&config, strings.TrimSpace(line)); err != nil {
			return config, fmt.Errorf("the Dockerfile says %q: %w", strings.TrimSpace(line), err)
		}
	}
	return config, nil
}

func instruct(config *v1.ImageConfig, line string) error {
	instruction, rest, _ := strings.Cut(line, " ")
	switch instruction {
	case "":
	case "LABEL":
		name, quoted, _ := strings.Cut(rest, "=")
		var value string
		if err := json.Unmarshal([]byte(quoted), &value); err != nil {
			return err
		}
		config.Labels[name] = value
	case "ENV":
		config.Env = append(config.Env, rest)
	case "USER":
		config.User = rest
	case "EXPOSE":
		config.ExposedPorts[rest] = struct{}{}
	case "ENTRYPOINT":
		return json.Unmarshal([]byte(rest), &config.Entrypoint)
	case "CMD":
		return json.Unmarshal([]byte(rest), &config.Cmd)
	default:
		return fmt.Errorf("%s is an instruction that is not known here", instruction)
	}
	return nil
}
