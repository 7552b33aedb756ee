# Disk and bucket hold what must survive the instance, so no plan may destroy them. docs/ec2.md says how to remove them.

resource "aws_ebs_volume" "data" {
  availability_zone = data.aws_subnet.chosen.availability_zone
  type              = "gp3"
  size              = var.data_gb
  encrypted         = true
  final_snapshot    = true

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket" "data" {
  bucket_prefix = "${var.name}-"

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "data" {
  bucket                  = aws_s3_bucket.data.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# A killed worker leaves the parts of an upload. Images expire by Imagemill itself, so no rule removes objects.
resource "aws_s3_bucket_lifecycle_configuration" "data" {
  bucket = aws_s3_bucket.data.id

  rule {
    id     = "abort-multipart-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

# The project as it was packed: git archive --format=tar.gz -o deploy/ec2/project.tar.gz HEAD
resource "aws_s3_object" "project" {
  bucket      = aws_s3_bucket.data.id
  key         = "project/${filemd5("${path.module}/project.tar.gz")}.tar.gz"
  source      = "${path.module}/project.tar.gz"
  source_hash = filemd5("${path.module}/project.tar.gz")
}
