package kind

import (
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// StorageClass says how volumes are made for the claims that name it.
var StorageClass = &Kind{
	GroupVersionKind: storage("StorageClass"),
	Resource:         "storageclasses",
	Singular:         "storageclass",
	ShortNames:       []string{"sc"},
	New:              makes[storagev1.StorageClass](),
	NewList:          makes[storagev1.StorageClassList](),

	Default: changes(func(sc *storagev1.StorageClass) {
		setDefault(&sc.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete)
		setDefault(&sc.VolumeBindingMode, storagev1.VolumeBindingImmediate)
	}),

	Validate:       validates(validateStorageClass),
	ValidateUpdate: validatesOver(validateStorageClassUpdate),
	Warnings:       warns(storageClassWarnings),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Provisioner", "string", storagev1.StorageClass{}.SwaggerDoc()["provisioner"]),
		column("ReclaimPolicy", "string", storagev1.StorageClass{}.SwaggerDoc()["reclaimPolicy"]),
		column("VolumeBindingMode", "string", storagev1.StorageClass{}.SwaggerDoc()["volumeBindingMode"]),
		column("AllowVolumeExpansion", "string", storagev1.StorageClass{}.SwaggerDoc()["allowVolumeExpansion"]),
		ageColumn,
	},
	Row: prints(func(sc *storagev1.StorageClass) []any {
		name := sc.Name
		if IsDefaultStorageClass(sc) {
			name += " (default)"
		}
		return []any{
			name, sc.Provisioner, string(ptr.Deref(sc.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete)),
			string(ptr.Deref(sc.VolumeBindingMode, storagev1.VolumeBindingImmediate)), ptr.Deref(sc.AllowVolumeExpansion, false), age(sc),
		}
	}),
}

// LocalPathProvisioner makes volumes of directories on the node of their first pod.
const LocalPathProvisioner = "leme/local-path"

// LocalPathClass is the storage class of every new cluster.
func LocalPathClass() *storagev1.StorageClass {
	return &storagev1.StorageClass{
		ObjectMeta:        metav1.ObjectMeta{Name: "local-path", Annotations: map[string]string{DefaultClassAnnotation: "true"}},
		Provisioner:       LocalPathProvisioner,
		VolumeBindingMode: new(storagev1.VolumeBindingWaitForFirstConsumer),
	}
}

// DefaultClassAnnotation marks the storage class of claims that name none.
const DefaultClassAnnotation = "storageclass.kubernetes.io/is-default-class"

// betaDefaultClassAnnotation is its older name.
const betaDefaultClassAnnotation = "storageclass.beta.kubernetes.io/is-default-class"

// IsDefaultStorageClass tells whether a class is for claims that name none.
func IsDefaultStorageClass(sc *storagev1.StorageClass) bool {
	return sc.Annotations[DefaultClassAnnotation] == "true" || sc.Annotations[betaDefaultClassAnnotation] == "true"
}

// DefaultStorageClass is the class of claims that name none: the newest of those that are marked so, or nil.
func DefaultStorageClass(classes []*storagev1.StorageClass) *storagev1.StorageClass {
	var newest *storagev1.StorageClass
	for _, sc := range classes {
		switch {
		case !IsDefaultStorageClass(sc):
		case newest == nil, newest.CreationTimestamp.Before(&sc.CreationTimestamp),
			newest.CreationTimestamp.Equal(&sc.CreationTimestamp) && sc.Name < newest.Name:
			newest = sc
		}
	}
	return newest
}

// Waits tells whether a class leaves claims unbound until a pod uses them and has a node.
func Waits(sc *storagev1.StorageClass) bool {
	return sc != nil && ptr.Deref(sc.VolumeBindingMode, "") == storagev1.VolumeBindingWaitForFirstConsumer
}
