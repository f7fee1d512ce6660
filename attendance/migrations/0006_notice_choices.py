"""Each kind of notice knows since when it is wanted; families have a language."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F


def both_since(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    wishes = apps.get_model("attendance", "NoticeSettings")
    wishes.objects.update(late_since=F("absence_since"))


class Migration(migrations.Migration):
    dependencies = [("attendance", "0005_absence_rules")]

    operations = [
        migrations.RenameField("noticesettings", "since", "absence_since"),
        migrations.AlterField(
            model_name="noticesettings",
            name="absence_since",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="noticesettings",
            name="late_since",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="noticesettings",
            name="language",
            field=models.CharField(
                blank=True,
                max_length=16,
                verbose_name="language of the mails to families",
            ),
        ),
        migrations.RunPython(both_since, migrations.RunPython.noop),
    ]
