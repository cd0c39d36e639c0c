package volume

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// keys is which keys of a ConfigMap or Secret become files, and how.
type keys struct {
	name     string
	items    []corev1.KeyToPath
	mode     os.FileMode
	optional bool
}

func (k keys) addConfigMap(ctx context.Context, r Request, to payload) error {
	m, err := r.Objects.ConfigMap(ctx, r.Pod.Namespace, k.name)
	if k.optional && apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	data := make(map[string][]byte, len(m.Data)+len(m.BinaryData))
	for name, value := range m.Data {
		data[name] = []byte(value)
	}
	for name, value := range m.BinaryData {
		data[name] = value
	}
	return k.add(data, "config", to)
}

func (k keys) addSecret(ctx context.Context, r Request, to payload) error {
	s, err := r.Objects.Secret(ctx, r.Pod.Namespace, k.name)
	if k.optional && apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	return k.add(s.Data, "secret", to)
}

// add picks all keys, or the items under their paths; a missing item is an error unless the reference is optional.
func (k keys) add(data map[string][]byte, kind string, to payload) error {
	if len(k.items) == 0 {
		for name, value := range data {
			to[name] = file{Data: value, Mode: k.mode}
		}
		return nil
	}
	for _, item := range k.items {
		value, ok := data[item.Key]
		if !ok && k.optional {
			continue
		}
		if !ok {
			return fmt.Errorf("references non-existent %s key: %s", kind, item.Key)
		}
		m := k.mode
		if item.Mode != nil {
			m = mode(item.Mode)
		}
		to[item.Path] = file{Data: value, Mode: m}
	}
	return nil
}

// mode is a file mode of the API; Kubernetes' default is 0644.
func mode(m *int32) os.FileMode {
	if m == nil {
		return 0o644
	}
	return os.FileMode(*m) & os.ModePerm
}

func isTrue(b *bool) bool { return b != nil && *b }
