// Package deploy holds ways to stand the service up.
package deploy

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"allocation/deploy/testbed/containers"
)

type service struct {
	Image       string
	Build       struct{ Context, Dockerfile string }
	Command     []string
	Entrypoint  []string
	Environment map[string]string
	ReadOnly    bool                                  `yaml:"read_only"`
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck struct{ Test []string }
	Restart     string
	Scale       int
	Ports       []string
	Volumes     []string
	GracePeriod string `yaml:"stop_grace_period"`
}

func composed(t *testing.T) map[string]service {
	t.Helper()
	var file struct{ Services map[string]service }
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "compose.yaml")), &file))
	return file.Services
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// Each setting is one of the program's, each subcommand and flag is in the table of the command
// line, and the image is not asked for more than it may do.
func TestCompose_saysWhatTheProgramKnows(t *testing.T) {
	t.Parallel()
	services, settings, commands := composed(t), read(t, "../docs/configuration.md"), read(t, "../docs/cli.md")
	ours := 0
	for name, s := range services {
		if s.Image != "allocation" {
			continue
		}
		ours++
		require.True(t, s.ReadOnly, name)
		for variable := range s.Environment {
			require.Contains(t, settings, "| `"+variable+"` |", name)
		}
		var words []string
		for _, word := range append(s.Command, s.Entrypoint...) {
			if flag, _, ok := strings.Cut(word, "="); ok {
				require.Contains(t, commands, "`"+flag+"`", name)
			} else if word != "/allocation" {
				words = append(words, word)
			}
		}
		require.Contains(t, commands, "`"+strings.Join(words, " "), name)
	}
	require.Equal(t, 4, ours)
	require.Equal(t, 3, services["worker"].Scale)
	require.Equal(t, "40s", services["worker"].GracePeriod)
	require.Contains(t, read(t, "systemd/allocation-worker.service"), "TimeoutStopSec=40s\n")
	require.FileExists(t, "../"+services["migrate"].Build.Dockerfile)
	for _, role := range []string{"worker", "operator"} {
		require.Contains(t, strings.Join(services["users"].Command, " "), "create role "+role+" login password '"+role+"' in role allocation_"+role+";")
		require.Contains(t, read(t, "../docs/operations.md"), "create role "+role+" login password '…' in role allocation_"+role+";")
	}
}

func TestCompose_waitsForWhatItNeeds(t *testing.T) {
	t.Parallel()
	services := composed(t)
	waits := 0
	for name, s := range services {
		for other, on := range s.DependsOn {
			require.Contains(t, services, other, name)
			switch on.Condition {
			case "service_healthy":
				require.NotEmpty(t, services[other].Healthcheck.Test, "%s waits for %s", name, other)
			case "service_completed_successfully":
				require.Empty(t, services[other].Restart, "%s waits for the end of %s", name, other)
			default:
				require.Equal(t, "service_started", on.Condition, name)
			}
			waits++
		}
	}
	require.Equal(t, 7, waits)
}

// Others' images have a version, those of the tests, and nothing is open to other machines.
func TestCompose_usesWhatIsTested(t *testing.T) {
	t.Parallel()
	services := composed(t)
	for name, s := range services {
		if s.Image != "allocation" {
			require.Regexp(t, `^[a-z/]+:v?\d`, s.Image, "%s: an image with a version", name)
		}
		for _, port := range s.Ports {
			require.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s: %s is open to others", name, port)
		}
	}
	require.Equal(t, containers.KafkaImage, services["kafka"].Image)
	require.Equal(t, containers.PostgresImage, services["postgres"].Image)
	require.Equal(t, containers.PostgresImage, services["users"].Image)
}

// Prometheus finds the workers by the service's name and the image's port.
func TestCompose_isScraped(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"./prometheus:/etc/prometheus:ro"}, composed(t)["prometheus"].Volumes)
	require.Equal(t, []string{"--config.file=/etc/prometheus/compose.yaml", "--storage.tsdb.path=/prometheus"}, composed(t)["prometheus"].Command)
	var file struct {
		ScrapeConfigs []struct {
			DNS []struct {
				Names []string
				Port  int
			} `yaml:"dns_sd_configs"`
		} `yaml:"scrape_configs"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "prometheus/compose.yaml")), &file))
	found := file.ScrapeConfigs[0].DNS[0]
	require.Equal(t, []string{"worker"}, found.Names)
	require.Regexp(t, regexp.MustCompile(`(?m)^EXPOSE 8080/tcp$`), read(t, "docker/Dockerfile"))
	require.Equal(t, 8080, found.Port)
}
