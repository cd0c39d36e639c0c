package store

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Prefix is where every object's key starts.
const Prefix = "/leme/"

// coreGroup stands in keys for the API group whose name is empty.
const coreGroup = "core"

// Key names one object.
type Key struct {
	schema.GroupResource
	Namespace string // empty for cluster-scoped resources
	Name      string
}

// String is the key in etcd.
func (k Key) String() string {
	if k.Namespace == "" {
		return resourcePrefix(k.GroupResource) + k.Name
	}
	return resourcePrefix(k.GroupResource) + k.Namespace + "/" + k.Name
}

func resourcePrefix(gr schema.GroupResource) string {
	group := gr.Group
	if group == "" {
		group = coreGroup
	}
	return Prefix + group + "/" + gr.Resource + "/"
}

// parseKey is the inverse of Key.String.
func parseKey(etcdKey string) (Key, error) {
	parts := strings.Split(strings.TrimPrefix(etcdKey, Prefix), "/")
	if !strings.HasPrefix(etcdKey, Prefix) || len(parts) < 3 || len(parts) > 4 {
		return Key{}, fmt.Errorf("etcd key %q is not %s<group>/<resource>/[<namespace>/]<name>", etcdKey, Prefix)
	}
	k := Key{GroupResource: schema.GroupResource{Group: parts[0], Resource: parts[1]}, Name: parts[len(parts)-1]}
	if k.Group == coreGroup {
		k.Group = ""
	}
	if len(parts) == 4 {
		k.Namespace = parts[2]
	}
	return k, nil
}

// before orders keys of one resource by namespace, then name.
func (k Key) before(other Key) bool {
	if k.Namespace != other.Namespace {
		return k.Namespace < other.Namespace
	}
	return k.Name < other.Name
}
