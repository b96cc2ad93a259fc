{{- define "gyre.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "gyre.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gyre.labels" -}}
{{ include "gyre.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "gyre.secret" -}}
{{- if .Values.secret.existing -}}
{{- .Values.secret.existing -}}
{{- else if .Values.secret.values -}}
{{- if and .Values.grpc.enabled (not .Values.secret.values.GYRE_GRPC_API_KEY) -}}
{{- fail "set secret.values.GYRE_GRPC_API_KEY, or grpc.enabled=false: gRPC without a key lets everybody in" -}}
{{- end -}}
{{- include "gyre.name" . -}}
{{- else -}}
{{- fail "set secret.existing, or secret.values: there are no keys to serve with" -}}
{{- end -}}
{{- end -}}
