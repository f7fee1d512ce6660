from django.db import migrations


def forget(apps, schema_editor):
    """Take the tokens out of the list of tokens: their ids are what it needs."""
    apps.get_model("token_blacklist", "OutstandingToken").objects.update(token="")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_login_failures"),
        ("token_blacklist", "0013_alter_blacklistedtoken_options_and_more"),
    ]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
