package imagevolume

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The names by which a layer takes away what lies below it (OCI image specification, "Whiteouts").
const (
	whiteout       = ".wh."
	whiteoutOthers = ".wh..wh."     // of a file system's own; nobody else's business
	whiteoutAll    = ".wh..wh..opq" // all that the directory has
)

// lay puts one layer over the tree: first it takes away what the layer says, then it adds what the layer has.
// Whiteouts are about what lies below, wherever in the layer they stand.
func (t *tree) lay(ctx context.Context, l v1.Layer) error {
	if err := t.entries(ctx, l, true, t.takeAway); err != nil {
		return err
	}
	return t.entries(ctx, l, false, t.add)
}

// entry is one file of a layer: its header, and its name without a leading slash; empty for the root.
type entry struct {
	*tar.Header
	name string
}

// entries calls do for each file of a layer. With check, the layer must be what its image says it is.
func (t *tree) entries(ctx context.Context, l v1.Layer, check bool, do func(e entry, content io.Reader) error) (err error) {
	in, err := l.Uncompressed()
	if err != nil {
		return err
	}
	defer in.Close()
	sum := sha256.New()
	var from io.Reader = in
	if check {
		from = io.TeeReader(in, sum)
	}
	for files := tar.NewReader(from); ; {
		h, err := files.Next()
		switch {
		case errors.Is(err, io.EOF):
			if !check {
				return nil
			}
			return checkSum(l, from, sum.Sum)
		case err == nil:
			err = ctx.Err()
		}
		if err == nil && h.Typeflag != tar.TypeXGlobalHeader {
			err = do(entry{h, strings.TrimPrefix(path.Clean("/"+h.Name), "/")}, files)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", nameIn(h), err)
		}
	}
}

func nameIn(h *tar.Header) string {
	if h == nil {
		return "its archive"
	}
	return h.Name
}

// checkSum reads what follows a layer's last file, and compares.
func checkSum(l v1.Layer, rest io.Reader, sum func([]byte) []byte) error {
	if _, err := io.Copy(io.Discard, rest); err != nil {
		return err
	}
	want, err := l.DiffID()
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(sum(nil)); want.Algorithm == "sha256" && got != want.Hex {
		return fmt.Errorf("its content has the digest sha256:%s, not %s", got, want)
	}
	return nil
}

// takeAway removes what a whiteout names; other entries are left for later.
func (t *tree) takeAway(e entry, _ io.Reader) error {
	dir, base := path.Split(e.name)
	switch {
	case !strings.HasPrefix(base, whiteout):
		return nil
	case base == whiteoutAll:
		return t.empty(path.Clean(dir))
	case strings.HasPrefix(base, whiteoutOthers):
		return nil
	}
	base = strings.TrimPrefix(base, whiteout)
	if base == "" || base == "." || base == ".." {
		return errors.New("a whiteout of nothing")
	}
	return t.removeAt(path.Clean(dir), base)
}
