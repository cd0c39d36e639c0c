package pull

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// errMislabelled is a layer that is packed otherwise than its manifest says; the engine could not unpack it.
var errMislabelled = errors.New("the layer is not packed with gzip, as its manifest says")

// offer is an image that the loopback registry has for as long as a pull takes.
type offer struct {
	repo     string
	manifest []byte
	kind     string // its media type
	digest   v1.Hash
	config   []byte
	configOf v1.Hash
	layers   map[v1.Hash]offered // by the digest that the manifest names
	order    []v1.Hash           // of the layers, from the base up
	meter    *meter
	ctx      context.Context         // the pull's
	fail     context.CancelCauseFunc // ends the engine's pull with the reason
	asked    atomic.Bool             // the engine found us

	mu       sync.Mutex
	wanted   map[v1.Hash]bool // layers that the engine asked for
	fetching bool             // those above them are on their way
}

// engineAtOnce is for how many layers an engine asks at once, unless it is configured otherwise.
const engineAtOnce = 3

// offered is a layer and the form in which the engine gets it.
type offered struct {
	fetch
	form form
}

// form is how a layer goes to the engine.
type form int

const (
	asItIs   form = iota // under its own digest
	asGzip               // the same, once it turns out to be gzip: an older engine unpacks nothing else
	unpacked             // under the digest of what it has inside
)

// newOffer describes an image to the engine: as the registry has it for containerd's store; for graph drivers layers
// are unpacked, or left to the engine if eager is false and it can.
func (p *Puller) newOffer(ctx context.Context, img *image, engine enginePlatform, eager bool, shared *pullShare) (*offer, error) {
	o := &offer{
		repo:     strings.Join([]string{loopbackFolder, p.loopback.instance, fmt.Sprintf("pull-%d", p.pulls.Add(1))}, "/"),
		manifest: img.manifest, kind: img.mediaType, digest: img.digest,
		config: img.config, configOf: img.configName,
		layers: map[v1.Hash]offered{}, meter: shared.meter, ctx: ctx, wanted: map[v1.Hash]bool{},
	}
	raw := v1.Manifest{
		SchemaVersion: 2, MediaType: types.DockerManifestSchema2,
		Config: v1.Descriptor{MediaType: types.DockerConfigJSON, Digest: img.configName, Size: int64(len(img.config))},
	}
	for rank, l := range img.layers {
		d, form := v1.Descriptor{MediaType: types.DockerUncompressedLayer, Digest: l.diffID, Size: l.size}, unpacked
		switch {
		case engine.containerd:
			d.Digest, form = l.digest, asItIs
		case l.gzip && !eager:
			d.MediaType, d.Digest, form = types.DockerLayer, l.digest, asGzip
		}
		raw.Layers = append(raw.Layers, d)
		o.layers[d.Digest] = offered{p.newFetch(img, l, shared, rank), form}
		o.order = append(o.order, d.Digest)
	}
	if engine.containerd {
		return o, nil
	}
	var err error
	if o.manifest, err = json.Marshal(raw); err != nil {
		return nil, err
	}
	o.kind = string(types.DockerManifestSchema2)
	o.digest = v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sha256.Sum256(o.manifest))}
	return o, nil
}

// read begins to read a layer, and to download it if need be.
func (o *offer) read(ctx context.Context, c *cache, named v1.Hash) *layerReader {
	f := o.layers[named]
	return c.stream(ctx, f.layer, f.run, func(n int64) { o.meter.set(f.layer.diffID, n) })
}

// ask notes that the engine asks for a layer, and says whether it has asked for as many as it does at once.
func (o *offer) ask(named v1.Hash) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wanted[named] = true
	return len(o.wanted) >= min(engineAtOnce, len(o.layers))
}

// above lists the layers above the lowest one that the engine has asked for, the first time.
func (o *offer) above() []v1.Hash {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fetching {
		return nil
	}
	o.fetching = true
	return o.order[slices.IndexFunc(o.order, func(l v1.Hash) bool { return o.wanted[l] })+1:]
}

// ahead downloads the layers above those that the engine asks for first, until the pull ends. The engine asks for a few
// at a time, but one that lacks a layer lacks, or takes anew, all that lie on it. Those few come in any order, and go
// first: they are the lowest, with which the engine can begin.
func (o *offer) ahead(c *cache) {
	for _, l := range o.above() {
		r := o.read(o.ctx, c, l)
		go func() {
			defer r.Close()
			_ = r.wait() // the engine, when it asks, is told what went wrong
		}()
	}
}
