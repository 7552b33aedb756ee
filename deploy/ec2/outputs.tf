locals {
  session = "aws ssm start-session --region ${var.region} --target ${aws_instance.imagemill.id}"
}

output "address" {
  value       = var.domain == "" ? aws_instance.imagemill.public_ip : aws_eip.imagemill[0].public_ip
  description = "Public address of the instance, for the entry of the domain; without https_from, no port is open."
}

output "tunnel" {
  value       = "${local.session} --document-name AWS-StartPortForwardingSession --parameters portNumber=8000,localPortNumber=8000"
  description = "Command that brings the service to http://127.0.0.1:8000 of your own machine."
}

output "shell" {
  value       = local.session
  description = "Command that opens a shell on the instance; SSH and its port are not used."
}

output "key" {
  value       = "${local.session} --document-name AWS-StartNonInteractiveCommand --parameters command='[\"sudo cat /srv/imagemill/secrets/first_key\"]'"
  description = "Command that prints the first API key."
}

output "bucket" {
  value       = aws_s3_bucket.data.bucket
  description = "Name of the bucket."
}

output "volume" {
  value       = aws_ebs_volume.data.id
  description = "Disk that survives the instance."
}
