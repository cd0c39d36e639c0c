package nodeapi

import (
	"context"
	"time"

	"leme/nodeagent/disk"
)

// disks are the node's: the agent's own, and the one of images and of what containers write; nil where that is not known.
type disks struct {
	at           time.Time
	node, images *disk.Space
}

func (s *Server) disks(ctx context.Context) disks {
	d := disks{at: time.Now()}
	if own, err := disk.Of(s.Home); err == nil {
		d.node = &own
	}
	if root, err := s.Runtime.StorageRoot(ctx); err == nil && root != "" {
		if images, err := disk.Of(root); err == nil {
			d.images = &images
		}
	}
	return d
}
