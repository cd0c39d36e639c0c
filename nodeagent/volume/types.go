package volume

import (
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// types are the volumes that the agent knows, in the order of the documentation.
var types = []Type{
	emptyDir{},
	configMap{},
	secret{},
	downwardAPI{},
	projected{},
	hostPath{},
	persistentVolumeClaim{},
	ephemeralVolume{},
	image{},
}

func typeOf(s *corev1.VolumeSource) Type {
	for _, t := range types {
		if t.Uses(s) {
			return t
		}
	}
	return nil
}

// ReadOnly says whether containers may only read a volume: one that is made of what the API has, where the next
// version would undo what they write, of an image, which others show too, or whose claim the pod only reads.
func ReadOnly(s *corev1.VolumeSource) bool {
	if s.PersistentVolumeClaim != nil {
		return s.PersistentVolumeClaim.ReadOnly
	}
	return s.Image != nil || s.ConfigMap != nil || s.Secret != nil || s.DownwardAPI != nil || s.Projected != nil
}

// Unsupported says why a volume cannot be made here; empty when it can.
func Unsupported(v *corev1.Volume) string {
	if typeOf(&v.VolumeSource) == nil {
		return sourceName(&v.VolumeSource)
	}
	if v.Projected == nil {
		return ""
	}
	for i := range v.Projected.Sources {
		if name := unsupportedProjection(&v.Projected.Sources[i]); name != "" {
			return "projected." + name
		}
	}
	return ""
}

func sourceName(s *corev1.VolumeSource) string { return fieldSet(s) }

// fieldSet is the name of the field of a union that is set, as the API spells it.
func fieldSet(union any) string {
	v := reflect.ValueOf(union).Elem()
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			return name
		}
	}
	return "none"
}
