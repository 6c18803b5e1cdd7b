/** The RoleBinding that the vendor's documentation gives as its example. */

/** That example, for the token with this id. */
export function documentedRoleBinding(id: string): string {
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
    name: cluster-admin-binding
    namespace: your-namespace
subjects:
    - kind: User
      name: service-account-${id.toLowerCase()}
      apiGroup: rbac.authorization.k8s.io
roleRef:
    kind: ClusterRole
    name: cluster-admin
    apiGroup: rbac.authorization.k8s.io
`;
}
