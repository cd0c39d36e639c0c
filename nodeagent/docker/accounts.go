package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/moby/sys/user"
)

// LabelReading marks a container that is never started: it is made to read an image's files, and removed at once.
const LabelReading = "leme.reading"

// accounts are the users and groups that an image knows, by the image's ID: what /etc/passwd and /etc/group say in it.
type accounts struct {
	mu sync.Mutex
	of map[string]*account
}

type account struct {
	once           sync.Mutex
	read           bool
	passwd, groups []byte
}

// maxAccounts bounds what is read of one file, in bytes, and of how many images that is remembered.
const (
	maxAccounts      = 256 << 10
	maxAccountImages = 256
)

// account resolves USER or USER:GROUP, of names or numbers, as the image has them. Without a group it has the
// supplementary groups that the image gives to the user.
func (r *Runtime) account(ctx context.Context, imageID, spec string) (*user.ExecUser, error) {
	a := r.accounts.entry(imageID)
	a.once.Lock()
	defer a.once.Unlock()
	if !a.read {
		if err := r.readAccounts(ctx, imageID, a); err != nil {
			return nil, fmt.Errorf("reading the image's users: %w", err)
		}
		a.read = true
	}
	return user.GetExecUser(spec, nil, bytes.NewReader(a.passwd), bytes.NewReader(a.groups))
}

func (a *accounts) entry(imageID string) *account {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of == nil || len(a.of) > maxAccountImages {
		a.of = map[string]*account{}
	}
	if a.of[imageID] == nil {
		a.of[imageID] = &account{}
	}
	return a.of[imageID]
}

// readAccounts reads the files from a container that is made for that. What an agent that was killed has left of such
// goes first.
func (r *Runtime) readAccounts(ctx context.Context, imageID string, a *account) error {
	if err := r.removeReading(ctx, r.Node+"/"+imageID); err != nil {
		return err
	}
	made, err := r.engine.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     &container.Config{Image: imageID, Cmd: []string{"-"}, Labels: map[string]string{LabelReading: r.Node + "/" + imageID}},
		HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	if err != nil {
		return err
	}
	defer r.discard(ctx, made.ID)
	if a.passwd, err = r.readFile(ctx, made.ID, "/etc/passwd"); err != nil {
		return err
	}
	a.groups, err = r.readFile(ctx, made.ID, "/etc/group")
	return err
}

// removeReading removes the node's containers that were made to read an image's files, those whose label begins so.
func (r *Runtime) removeReading(ctx context.Context, label string) error {
	left, err := r.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", LabelReading)})
	for _, c := range left.Items {
		if strings.HasPrefix(c.Labels[LabelReading], label) {
			r.discard(ctx, c.ID)
		}
	}
	return err
}

// readFile gives the beginning of a container's file; nothing when it is not there, or no plain file.
func (r *Runtime) readFile(ctx context.Context, id, path string) ([]byte, error) {
	copied, err := r.engine.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: path})
	if errdefs.IsNotFound(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer copied.Content.Close()
	archive := tar.NewReader(copied.Content)
	header, err := archive.Next()
	if errors.Is(err, io.EOF) || err == nil && header.Typeflag != tar.TypeReg {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(archive, maxAccounts))
}

func numbers(groups []int) []string {
	var all []string
	for _, g := range groups {
		all = append(all, strconv.Itoa(g))
	}
	return all
}
