package docker

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"
)

// LogFiles bounds the log that the engine keeps of a container.
type LogFiles struct {
	MaxSize  string // of one file, as the engine writes sizes: "10m"
	MaxFiles int
}

// ParseLogFiles reads the bounds as the kubelet has them: a quantity, "10Mi", and at least two files.
func ParseLogFiles(maxSize string, maxFiles int) (LogFiles, error) {
	size, err := resource.ParseQuantity(maxSize)
	if err != nil {
		return LogFiles{}, fmt.Errorf("the maximum size of container logs, %q: %w", maxSize, err)
	}
	if size.Sign() <= 0 {
		return LogFiles{}, fmt.Errorf("the maximum size of container logs must be positive: %s", maxSize)
	}
	if maxFiles < 2 {
		return LogFiles{}, fmt.Errorf("container logs must have two files or more, so that one can be read while the next begins: %d", maxFiles)
	}
	return LogFiles{MaxSize: strconv.FormatInt(size.Value(), 10), MaxFiles: maxFiles}, nil
}
