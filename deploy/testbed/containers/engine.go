// Package containers runs Apache Kafka and Postgres in containers, by testcontainers and a Docker
// engine on this machine.
//
// The folder also holds what proves that way, and deploy/compose.yaml, on an engine that can pull
// no image: images made from the programs of the machine (see prove.sh).
package containers

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// ErrUnavailable is returned where no Docker engine answers, or the image cannot be had: servers
// must then come from elsewhere.
var ErrUnavailable = errors.New("no container can be had")

const (
	healthTime = 2 * time.Second
	pullTime   = 5 * time.Minute
)

// silence ends the library's log, which tells a test's reader nothing about the test. It is the
// whole process', so it is set once.
var silence = sync.OnceFunc(func() { log.SetDefault(log.NewNoopLogger()) })

// connect returns a connection to the engine, once it has the image. Its error is ErrUnavailable,
// after milliseconds when there is no engine.
func connect(ctx context.Context, image string) (*testcontainers.DockerProvider, error) {
	silence()
	engine, err := testcontainers.NewDockerProvider()
	if err != nil {
		return nil, errors.Join(ErrUnavailable, err)
	}
	err = answers(ctx, engine)
	if err == nil {
		err = acquire(ctx, engine.Client(), image)
	}
	if err != nil {
		_ = engine.Close()
		return nil, errors.Join(ErrUnavailable, err)
	}
	return engine, nil
}

func answers(ctx context.Context, engine *testcontainers.DockerProvider) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	return engine.Health(ctx)
}

// acquire pulls the image unless the engine has it. It tries once, as testcontainers would try for
// minutes where nothing can be pulled.
func acquire(ctx context.Context, engine client.APIClient, image string) error {
	if _, err := engine.ImageInspect(ctx, image); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pullTime)
	defer cancel()
	pull, err := engine.ImagePull(ctx, image, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	defer pull.Close()
	if _, err := io.Copy(io.Discard, pull); err != nil {
		return err
	}
	_, err = engine.ImageInspect(ctx, image)
	return err
}
