package containers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"golang.org/x/sys/unix"
)

// Container is a server in a container, on a port of this machine and data that it keeps until it
// is closed.
type Container struct {
	// Addr is where clients find it: Kafka's address, or Postgres' URL.
	Addr string

	engine    client.APIClient
	provider  *testcontainers.DockerProvider
	container *testcontainers.DockerContainer
	ready     func(context.Context) error
}

// shutdownTime is how long a server may take to stop before it is killed.
const shutdownTime = 30 * time.Second

// run starts a container whose server is up when ready returns nil.
func run(ctx context.Context, image, addr string, ready func(context.Context) error, options ...testcontainers.ContainerCustomizer) (*Container, error) {
	provider, err := connect(ctx, image)
	if err != nil {
		return nil, err
	}
	c := &Container{Addr: addr, engine: provider.Client(), provider: provider, ready: ready}
	c.container, err = testcontainers.Run(ctx, image, options...)
	if err == nil {
		err = ready(ctx)
	}
	if err != nil {
		log := c.log()
		return nil, fmt.Errorf("start a container of %s: %w\n%s", image, errors.Join(err, c.Close()), log)
	}
	return c, nil
}

// Start starts the server again on its former port and data, and returns when it answers.
func (c *Container) Start(ctx context.Context) error {
	if err := c.container.Start(ctx); err != nil {
		return err
	}
	return c.ready(ctx)
}

// Signal sends a signal to the server; SIGSTOP and SIGCONT reach all processes of the container.
// For one that ends it, it returns when it has ended.
func (c *Container) Signal(ctx context.Context, signal syscall.Signal) error {
	id := c.container.GetContainerID()
	switch signal {
	case syscall.SIGSTOP:
		_, err := c.engine.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	case syscall.SIGCONT:
		_, err := c.engine.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	}
	if _, err := c.engine.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: unix.SignalName(signal)}); err != nil {
		return err
	}
	return c.awaitEnd(ctx, id)
}

func (c *Container) awaitEnd(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	ended := c.engine.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case err := <-ended.Error:
		return err
	case <-ended.Result:
		return nil
	}
}

// Close removes the container with its data.
func (c *Container) Close() error {
	defer c.provider.Close()
	if c.container == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	_, err := c.engine.ContainerRemove(ctx, c.container.GetContainerID(), client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return err
}

func (c *Container) log() []byte {
	if c.container == nil {
		return nil
	}
	reader, err := c.container.Logs(context.Background())
	if err != nil {
		return nil
	}
	defer reader.Close()
	content, _ := io.ReadAll(reader)
	const most = 3000
	return bytes.TrimSpace(content[max(0, len(content)-most):])
}

// onPort makes the container's port reachable on a port of this machine's loopback interface, the
// same after a restart.
func onPort(inside string, port int) testcontainers.CustomizeRequestOption {
	bindings := network.PortMap{
		network.MustParsePort(inside): {{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), HostPort: strconv.Itoa(port)}},
	}
	expose := testcontainers.WithExposedPorts(inside)
	bind := testcontainers.WithHostConfigModifier(func(host *container.HostConfig) { host.PortBindings = bindings })
	return func(request *testcontainers.GenericContainerRequest) error {
		return errors.Join(expose(request), bind(request))
	}
}
