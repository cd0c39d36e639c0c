package pod

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"leme/nodeagent/volume"
)

// Objects gives the ConfigMaps and Secrets that a pod refers to.
type Objects = volume.Objects

// Fields resolves downward API references.
type Fields = volume.Fields

// environment is a container's variables in the order in which they were named first.
type environment struct {
	names  []string
	values map[string]string
}

func (e *environment) set(name, value string) {
	if _, ok := e.values[name]; !ok {
		e.names = append(e.names, name)
	}
	e.values[name] = value
}

func (e *environment) list() []string {
	var all []string
	for _, name := range e.names {
		all = append(all, name+"="+e.values[name])
	}
	return all
}

// resolver is where a container's variables come from.
type resolver struct {
	pod      *corev1.Pod // with the status that holds now
	hostname string
	objects  Objects
	fields   Fields
	services []*corev1.Service // that the container is told of
	volumes  map[string]string // the pod's, where the host has them
}

// environment resolves all variables of a container: HOSTNAME, services, whole sources, then single variables, where
// later ones win and may refer to earlier ones as $(NAME). skipped are keys that cannot be names of variables.
func (r resolver) environment(ctx context.Context, c *corev1.Container) (env *environment, skipped []string, err error) {
	env = &environment{values: map[string]string{}}
	env.set("HOSTNAME", r.hostname)
	env.addServices(r.services)
	for i := range c.EnvFrom {
		bad, err := r.addSource(ctx, &c.EnvFrom[i], env)
		if err != nil {
			return nil, nil, err
		}
		skipped = append(skipped, bad...)
	}
	for i := range c.Env {
		v := &c.Env[i]
		if v.ValueFrom == nil {
			env.set(v.Name, expand(v.Value, env.values))
			continue
		}
		value, ok, err := r.value(ctx, c, v.ValueFrom)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			env.set(v.Name, value)
		}
	}
	return env, skipped, nil
}

// addSource adds every key of a ConfigMap or Secret.
func (r resolver) addSource(ctx context.Context, from *corev1.EnvFromSource, env *environment) (skipped []string, err error) {
	data, err := r.source(ctx, from)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		name := from.Prefix + key
		if name == "" || strings.ContainsRune(name, '=') {
			skipped = append(skipped, key)
			continue
		}
		env.set(name, data[key])
	}
	return skipped, nil
}

func (r resolver) source(ctx context.Context, from *corev1.EnvFromSource) (map[string]string, error) {
	switch {
	case from.ConfigMapRef != nil:
		m, err := r.objects.ConfigMap(ctx, r.pod.Namespace, from.ConfigMapRef.Name)
		if err != nil {
			return nil, missing(err, from.ConfigMapRef.Optional)
		}
		return m.Data, nil
	case from.SecretRef != nil:
		s, err := r.objects.Secret(ctx, r.pod.Namespace, from.SecretRef.Name)
		if err != nil {
			return nil, missing(err, from.SecretRef.Optional)
		}
		data := make(map[string]string, len(s.Data))
		for k, v := range s.Data {
			data[k] = string(v)
		}
		return data, nil
	}
	return nil, nil
}

// value resolves one reference; ok is false when it is optional and there is nothing.
func (r resolver) value(ctx context.Context, c *corev1.Container, from *corev1.EnvVarSource) (value string, ok bool, err error) {
	switch {
	case from.FieldRef != nil:
		value, err = r.fields.Field(r.pod, from.FieldRef)
		return value, true, err
	case from.ResourceFieldRef != nil:
		ref := *from.ResourceFieldRef
		if ref.ContainerName == "" {
			ref.ContainerName = c.Name
		}
		value, err = r.fields.Resource(r.pod, &ref)
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		return r.configMapKey(ctx, from.ConfigMapKeyRef)
	case from.SecretKeyRef != nil:
		return r.secretKey(ctx, from.SecretKeyRef)
	case from.FileKeyRef != nil:
		return r.fileKey(from.FileKeyRef)
	}
	return "", false, fmt.Errorf("valueFrom has no known source")
}

func (r resolver) configMapKey(ctx context.Context, ref *corev1.ConfigMapKeySelector) (string, bool, error) {
	m, err := r.objects.ConfigMap(ctx, r.pod.Namespace, ref.Name)
	if err != nil {
		return "", false, missing(err, ref.Optional)
	}
	if value, ok := m.Data[ref.Key]; ok {
		return value, true, nil
	}
	return "", false, missingKey(ref.Key, "ConfigMap", r.pod.Namespace, ref.Name, ref.Optional)
}

func (r resolver) secretKey(ctx context.Context, ref *corev1.SecretKeySelector) (string, bool, error) {
	s, err := r.objects.Secret(ctx, r.pod.Namespace, ref.Name)
	if err != nil {
		return "", false, missing(err, ref.Optional)
	}
	if value, ok := s.Data[ref.Key]; ok {
		return string(value), true, nil
	}
	return "", false, missingKey(ref.Key, "Secret", r.pod.Namespace, ref.Name, ref.Optional)
}

// missing lets an absent object pass where the reference is optional.
func missing(err error, optional *bool) error {
	if apierrors.IsNotFound(err) && optional != nil && *optional {
		return nil
	}
	return err
}

func missingKey(key, kind, namespace, name string, optional *bool) error {
	if optional != nil && *optional {
		return nil
	}
	return fmt.Errorf("couldn't find key %v in %s %v/%v", key, kind, namespace, name)
}
