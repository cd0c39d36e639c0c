package imagegc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"

	"leme/nodeagent/disk"
	"leme/nodeagent/pod"
)

// Engine is what the images are in.
type Engine interface {
	Images(ctx context.Context) ([]pod.Image, error)
	// ImagesInUse gives the IDs of the images that containers are made of.
	ImagesInUse(ctx context.Context) (map[string]bool, error)
	// DropImage removes an image; it fails when a container is made of it.
	DropImage(ctx context.Context, id string) error
}

// Config is what a collector needs. All but Every and Cache must be set.
type Config struct {
	Policy Policy
	Engine Engine
	// Wanted lists the images, by ID or whole name, of the pods that are to run here: containers are about to be made of
	// these.
	Wanted func() []string
	// Disk is that of the images; ok is false when it cannot be seen.
	Disk func(ctx context.Context) (space disk.Space, ok bool, err error)
	// Cache removes what is kept only to make pulls quicker, and is the first to go; it gives the bytes freed. May be nil.
	Cache  func() (int64, error)
	Every  time.Duration // default 5 minutes
	Events record.EventRecorder
	Node   *corev1.ObjectReference
	Logger *slog.Logger
}

// Collector removes images. It is safe for concurrent use.
type Collector struct {
	Config
	mu    sync.Mutex
	known map[string]memory // by ID
	up    time.Time         // when the collector was made
}

// memory is what is remembered of an image from one look to the next.
type memory struct{ first, last time.Time }

// New makes a collector.
func New(c Config) *Collector {
	if c.Every == 0 {
		c.Every = 5 * time.Minute
	}
	return &Collector{Config: c, known: map[string]memory{}, up: time.Now()}
}

// Run looks after the images until the context ends: at once, to know since when they are there, and then now and then.
func (c *Collector) Run(ctx context.Context) error {
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	for {
		if err := c.Collect(ctx); err != nil && ctx.Err() == nil {
			c.Logger.Warn("images could not be collected", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Collect removes the images that are too old, and those that are too many for the disk.
func (c *Collector) Collect(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	records, err := c.look(ctx, now)
	if err != nil {
		return err
	}
	_, err = c.drop(ctx, c.Policy.aged(records, c.up, now), "age")
	space, ok, diskErr := c.Disk(ctx)
	if diskErr != nil || !ok {
		return errors.Join(err, diskErr)
	}
	excess := c.Policy.excess(space.Usable, space.Free)
	if excess == 0 {
		return err
	}
	c.Logger.Info("the images' disk is nearly full", "bytes to free", excess)
	err = errors.Join(err, c.dropCache())
	if space, ok, diskErr = c.Disk(ctx); diskErr != nil || !ok {
		return errors.Join(err, diskErr)
	}
	if excess = c.Policy.excess(space.Usable, space.Free); excess == 0 {
		return err
	}
	records = slices.DeleteFunc(records, func(r entry) bool { _, there := c.known[r.ID]; return !there })
	freed, dropErr := c.drop(ctx, c.Policy.spare(records, excess, now), "space")
	if freed < excess && dropErr == nil {
		message := fmt.Sprintf("Insufficient free disk space on the node's image filesystem (%d%% of %s used). "+
			"Failed to free sufficient space by deleting unused images (freed %d bytes). "+
			"Investigate disk usage, as it could be used by active images, logs, volumes, or other data.",
			usedPercent(space.Usable, space.Free), size(space.Usable), freed)
		c.Events.Event(c.Node, corev1.EventTypeWarning, "FreeDiskSpaceFailed", message)
	}
	return errors.Join(err, dropErr)
}

// DropUnused removes all images that nobody uses and that are old enough.
func (c *Collector) DropUnused(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	records, err := c.look(ctx, now)
	if err != nil {
		return err
	}
	_, err = c.drop(ctx, c.Policy.spare(records, Everything, now), "space")
	return errors.Join(err, c.dropCache())
}

// dropCache removes the layers that are kept for other images.
func (c *Collector) dropCache() error {
	if c.Cache == nil {
		return nil
	}
	freed, err := c.Cache()
	c.Logger.Info("removed what was kept of pulls", "bytes", freed)
	return err
}

// look finds out which images there are, and which are in use; c.mu is held.
func (c *Collector) look(ctx context.Context, now time.Time) ([]entry, error) {
	images, err := c.Engine.Images(ctx)
	if err != nil {
		return nil, err
	}
	used, err := c.Engine.ImagesInUse(ctx)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, name := range c.Wanted() {
		wanted[name] = true
	}
	there := map[string]bool{}
	var records []entry
	for _, i := range images {
		there[i.ID] = true
		inUse := used[i.ID] || wanted[i.ID] || slices.ContainsFunc(i.Names, func(name string) bool { return wanted[wholeName(name)] })
		k, seen := c.known[i.ID]
		if !seen {
			k.first = now
		}
		if inUse {
			k.last = now
		}
		c.known[i.ID] = k
		records = append(records, entry{ID: i.ID, Size: i.Size, First: k.first, Last: k.last, Used: inUse, Ours: i.RepoDigest != ""})
	}
	maps.DeleteFunc(c.known, func(id string, _ memory) bool { return !there[id] })
	return records, nil
}

// wholeName is an image's name with its registry; engines leave some registries out.
func wholeName(name string) string {
	named, err := reference.ParseDockerRef(name)
	if err != nil {
		return name
	}
	return named.String()
}

// drop removes images, as many as it can; c.mu is held.
func (c *Collector) drop(ctx context.Context, list []entry, why string) (freed int64, err error) {
	for _, r := range list {
		c.Logger.Info("removing an image", "image", r.ID, "bytes", r.Size, "why", why)
		if dropErr := c.Engine.DropImage(ctx, r.ID); dropErr != nil {
			err = errors.Join(err, dropErr)
			continue
		}
		delete(c.known, r.ID)
		collected.WithLabelValues(why).Inc()
		freed += r.Size
	}
	return freed, err
}

// size is a number of bytes for people.
func size(bytes int64) string {
	units, n := []string{"B", "KiB", "MiB", "GiB", "TiB"}, float64(bytes)
	for len(units) > 1 && n >= 1024 {
		n, units = n/1024, units[1:]
	}
	if units[0] == "B" {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", n, units[0])
}
